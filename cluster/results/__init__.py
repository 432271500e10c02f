"""Records of what was measured: values that merge, and the files that hold them."""
