"""The words: frozen values with units. Imports the standard library only; refuses nothing by itself."""
