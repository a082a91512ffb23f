"""People who answer: what they do now, and which customers are offered to them."""
