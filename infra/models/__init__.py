"""The model store: gets pinned weights, builds them into ONNX once, tests them, and keeps them in a cache."""
