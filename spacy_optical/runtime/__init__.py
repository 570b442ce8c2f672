"""Inference on a CPU with numpy, tokenizers and ONNX Runtime; never torch."""
