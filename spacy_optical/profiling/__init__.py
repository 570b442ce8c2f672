"""Measure latency, speed, memory, disk space and F1 of pipelines, in fresh processes.

The measured processes import this module before their imports are timed, so it imports nothing.
"""
