"""What the lab sees from outside: the wire, the memory, the trace. Nothing here judges."""
