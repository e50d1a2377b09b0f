"""SegNet and what builds on it: encoders of max pooling with indices, decoders that unpool with them."""
