"""ASTM F3548-21 (UTM): operational intents and constraints."""
