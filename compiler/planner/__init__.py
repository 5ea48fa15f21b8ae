"""Graph, board and target to a Plan. Imports no backend."""
