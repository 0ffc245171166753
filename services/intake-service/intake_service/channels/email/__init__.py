"""E-mail: what comes by wire, read and handed on as an `IncomingMessage`."""
