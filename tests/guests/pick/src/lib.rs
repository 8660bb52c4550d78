//! Picks the index that its settings name.

guest::plugin!("image-policy-plugin", "pick");

use exports::weir::plugin::image_policy::{Call, Failure, Guest as ImagePolicy};

impl ImagePolicy for Guest {
    fn select(call: Call, _: Vec<String>) -> Result<Option<u32>, Failure> {
        let settings: serde_json::Value = serde_json::from_str(&call.settings()).unwrap();
        Ok(settings["index"].as_u64().map(|index| index as u32))
    }
}
