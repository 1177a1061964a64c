"""Text to lossless trees with exact spans. Knows no parameter names."""
