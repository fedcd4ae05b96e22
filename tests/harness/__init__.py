"""What the end-to-end tests are written with: a cluster, a vCenter, guests and manifests."""
