"""Benchmarks: accuracy first, then speed. Ratios are taken within one run; nothing here is a test."""
