"""tecompile: int8 TFLite models to verified Cortex-M firmware."""

__version__ = "0.1.0"
