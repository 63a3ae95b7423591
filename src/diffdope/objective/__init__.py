"""What a pose costs: modalities, their robust losses, and one fused pass over the pixels."""
