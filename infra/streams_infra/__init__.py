"""The two stacks of Serverless Streams: what keeps messages, and what serves them."""
