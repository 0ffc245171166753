"""The users' own case, played on a running system: `make demo` in one process on a simulated clock, `make demo-kafka`
on seven processes, a real Kafka and the real clock. Nothing is printed that was not read back from the system."""
