//! What a rule names.

use std::collections::BTreeSet;

use catalog_events::{ActionForm, KindForm};

/// The products that a rule names.
pub(super) fn products(kind: &KindForm) -> BTreeSet<String> {
    let KindForm::Curation { actions, .. } = kind else {
        return BTreeSet::new();
    };
    let named = actions.iter().flat_map(|action| match action {
        ActionForm::Pin { product_id, .. } => vec![product_id.clone()],
        ActionForm::Hide { target }
        | ActionForm::Boost { target, .. }
        | ActionForm::Bury { target, .. } => target.product_ids.clone(),
        ActionForm::Redirect { .. } | ActionForm::Unknown => Vec::new(),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use catalog_events::{QueryMatch, TargetForm};

    use super::*;

    #[test]
    fn the_products_that_a_rule_names() {
        let target = |ids: &[&str]| TargetForm {
            product_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..TargetForm::default()
        };
        let actions = vec![
            ActionForm::Pin {
                product_id: "p-2".to_owned(),
                position: 1,
            },
            ActionForm::Hide {
                target: target(&["p-1", "p-2"]),
            },
            ActionForm::Redirect {
                url: "/mice".to_owned(),
            },
        ];
        let kind = KindForm::Curation {
            queries: vec!["mouse".to_owned()],
            matching: QueryMatch::Exact,
            actions,
        };
        let named: Vec<String> = products(&kind).into_iter().collect();
        assert_eq!(named, ["p-1", "p-2"]);
    }
}
