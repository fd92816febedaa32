"""What delivering a message costs, for this project and for others, side by side in one run.

``python -m benchmarks --help``; what is measured and how to add a system is in README.md.
"""
