"""The promises of the reliability contract, one module each, named after its number."""
