"""Services on the wire: endpoints, STARTTLS, and what a handshake shows; as values and dialogues, without I/O."""
