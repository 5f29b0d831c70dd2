"""One module for each format: a function that takes a random generator and returns a Case."""
