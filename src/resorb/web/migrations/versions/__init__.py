"""Each file is one step; none is ever changed once released."""
