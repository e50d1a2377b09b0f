"""Stacked U-Nets, and the dilated ResNets that they are compared with: a trunk with light heads."""
