"""The gate's old place, until `engines.attention_masks` imports it from `blocks`."""

from .blocks.attention_gate import AttentionGate as AttentionGate
