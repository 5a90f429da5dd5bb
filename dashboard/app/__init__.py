"""The web application: `web` builds it; `visit` is who asks, `delivery` is how answers leave."""
