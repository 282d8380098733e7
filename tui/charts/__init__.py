"""Pictures of figures in characters, as pure functions: measures, spans, bars, heat maps, strips, sheets."""
