"""The product over HTTP (extra `service`): uploads become observations, refiners stay warm, results are result.json."""
