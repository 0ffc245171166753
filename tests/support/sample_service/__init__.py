"""The smallest whole service, for the tests of shared: one table, one door, one loop."""
