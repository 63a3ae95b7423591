"""Why a result failed, and what is wrong with its inputs."""
