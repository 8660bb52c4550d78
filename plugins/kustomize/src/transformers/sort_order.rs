//! The order in which objects are printed.

use crate::context::Context;
use crate::error::{Context as _, Error, Result};
use crate::resid::{Gvk, ResId, legacy_order, rank};
use crate::resmap::ResMap;
use crate::types::SortOptions;

const LEGACY: &str = "legacy";
const FIFO: &str = "fifo";

/// Sorts as the options say.
pub(crate) fn sort(cx: &Context, map: &mut ResMap, options: &SortOptions) -> Result<()> {
    let order = options.order.as_str();
    if order != FIFO && order != LEGACY {
        return Err(Error::new(format!(
            "the field 'sortOptions.order' must be one of [{FIFO}, {LEGACY}]"
        )));
    }
    if order == FIFO {
        if options.legacy_sort_options.is_some() {
            return Err(Error::new(format!(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is \
                 '{FIFO}', not 'legacy'"
            )));
        }
        return Ok(());
    }
    let (first, last) = match &options.legacy_sort_options {
        Some(options) => (options.order_first.clone(), options.order_last.clone()),
        None => legacy_order(),
    };
    let mut keyed: Vec<_> = map
        .list()
        .iter()
        .map(|handle| {
            let id = cx.cur_id(*handle);
            let rank = rank(&id.gvk.kind, &first, &last);
            (rank, id.gvk.sort_text(), sort_text(&id), id.gvk, *handle)
        })
        .collect();
    keyed.sort_by(|a, b| {
        let by_kind = if a.3.equals(&b.3) {
            std::cmp::Ordering::Equal
        } else {
            a.0.cmp(&b.0)
                .then_with(|| compare_kinds(&a.3, &b.3, &a.1, &b.1))
        };
        by_kind.then_with(|| a.2.cmp(&b.2))
    });
    let sorted = ResMap::from_resources(cx, keyed.into_iter().map(|entry| entry.4).collect())
        .context("SortOrderTransformer: Failed to append to resources")?;
    *map = sorted;
    Ok(())
}

/// Namespaces of the core group come before those of others.
fn compare_kinds(a: &Gvk, b: &Gvk, a_text: &str, b_text: &str) -> std::cmp::Ordering {
    let namespaces = a.kind == "Namespace" && b.kind == "Namespace";
    if namespaces && (a.group.is_empty() || b.group.is_empty()) {
        b_text.cmp(a_text)
    } else {
        a_text.cmp(b_text)
    }
}

fn sort_text(id: &ResId) -> String {
    let namespace = if id.namespace.is_empty() {
        "~X"
    } else {
        &id.namespace
    };
    let name = if id.name.is_empty() { "~N" } else { &id.name };
    format!("{}|{namespace}|{name}", id.gvk)
}
