"""Pure rules of handling: no I/O, no clock, no randomness."""
