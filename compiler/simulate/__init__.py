"""Build the generated files, run them, and compare every row they compute with the reference."""
