"""Rules of the review stage (E1-E3, E8). Pure."""
