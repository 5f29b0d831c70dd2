"""One module per format, with a function that takes a random generator and returns a Case."""
