"""Kubernetes objects as YAML writes them: which there are, and what the containers among them declare."""
