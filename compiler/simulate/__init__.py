"""Build the generated files, run them, and compare all that they compute with the reference."""
