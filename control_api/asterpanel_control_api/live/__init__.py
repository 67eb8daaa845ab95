"""The live state: read from the exporter, and told to any number of readers, each what he may see."""
