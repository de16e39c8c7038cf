"""The WooCommerce connector: `connector` walks and writes, the other modules are what it is made of."""
