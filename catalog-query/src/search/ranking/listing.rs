//! Lists ranking profiles for tools that compare them.

use std::path::Path;

use serde_json::Value;

use crate::search::ranking::profile::RankingProfiles;

/// Ranking profiles as the service understands them.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedProfiles {
    /// The name of the profile of requests that name none.
    pub default: String,
    /// The profiles by name, each with every weight, as it could stand in a file.
    pub profiles: Vec<Value>,
}

/// Lists the ranking profiles of a file, or without one, those that the service has by itself. It
/// fails where the service would not start with the file.
pub fn ranking_profiles(file: Option<&Path>) -> anyhow::Result<ListedProfiles> {
    let profiles = match file {
        Some(file) => RankingProfiles::load(file)?,
        None => RankingProfiles::default(),
    };
    Ok(ListedProfiles::of(&profiles)?)
}

impl ListedProfiles {
    pub(crate) fn of(profiles: &RankingProfiles) -> serde_json::Result<Self> {
        // Not `to_value`, which would make 0.10000000149011612 of a weight of 0.1 in 32 bits.
        let listed = profiles
            .all()
            .into_iter()
            .map(|profile| serde_json::from_str(&serde_json::to_string(profile)?));
        Ok(Self {
            default: profiles.default_name().to_owned(),
            profiles: listed.collect::<serde_json::Result<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_listed_profile_is_complete_and_reads_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profiles.json");
        let text = r#"{"default": "b", "profiles": [{"name": "b", "version": 7},
            {"name": "a", "words": {"tie_breaker": 0.3}}]}"#;
        std::fs::write(&file, text).unwrap();
        let listed = ranking_profiles(Some(&file)).unwrap();
        assert_eq!(listed.default, "b");
        assert_eq!(listed.profiles[0]["name"], json!("a"));
        assert_eq!(listed.profiles[0]["words"]["tie_breaker"], json!(0.3));
        assert_eq!(listed.profiles[1]["version"], json!(7));
        assert!(listed.profiles[1]["words_beside_vectors"]["attributes"]["weight"].is_number());

        let again = json!({"default": listed.default, "profiles": listed.profiles});
        std::fs::write(&file, again.to_string()).unwrap();
        assert_eq!(ranking_profiles(Some(&file)).unwrap(), listed);
        assert_eq!(ranking_profiles(None).unwrap().profiles.len(), 1);
    }
}
