"""What Hallwatch costs and how fast it is, on real parts: `python -m benchmarks`; docs/benchmarks.md explains it."""
