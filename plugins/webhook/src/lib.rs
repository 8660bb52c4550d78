//! plugin-webhook
