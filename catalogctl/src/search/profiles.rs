//! `catalogctl profiles`: the ranking profiles that a search can choose from.

use std::process::ExitCode;

use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{ListRankingProfilesRequest, RankingProfile};
use client_kit::{bounded, output};
use serde_json::{Value, json};

use crate::endpoints::EndpointArgs;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A profile is chosen with `catalogctl search --profile NAME` or `profile=NAME`. Profiles are in the file of \
    CATALOG_QUERY_RANKING_PROFILES; `catalogctl eval --grid` makes some to choose from."
)]
pub(crate) struct ProfilesArgs {
    /// Shows every weight of this profile
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Prints one JSON object a profile, with every weight
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(
    args: ProfilesArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let mut client = CatalogQueryOperationsClient::new(target.channel()?);
    let request = bounded(ListRankingProfilesRequest {});
    let answer = client.list_ranking_profiles(request).await;
    let listed = answer.map_err(|status| target.error(&status))?.into_inner();
    let wanted =
        |profile: &&RankingProfile| args.name.as_ref().is_none_or(|name| *name == profile.name);
    let profiles: Vec<&RankingProfile> = listed.profiles.iter().filter(wanted).collect();
    if let (Some(name), true) = (&args.name, profiles.is_empty()) {
        let known = listed.profiles.iter().map(|profile| profile.name.as_str());
        let known: Vec<&str> = known.collect();
        anyhow::bail!(
            "there is no profile {name:?}: there are {}",
            known.join(", ")
        );
    }
    for profile in profiles {
        if args.json {
            output::json(&to_json(profile))?;
        } else {
            output::text(&to_text(profile, args.name.is_some())?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn to_json(profile: &RankingProfile) -> Value {
    let parameters: Value = serde_json::from_str(&profile.parameters).unwrap_or_default();
    json!({
        "name": profile.name,
        "version": profile.version,
        "is_default": profile.is_default,
        "parameters": parameters,
    })
}

fn to_text(profile: &RankingProfile, whole: bool) -> anyhow::Result<String> {
    let usual = if profile.is_default {
        "  (used unless another is chosen)"
    } else {
        ""
    };
    let mut text = output::plain(&format!("{}@{}{usual}", profile.name, profile.version));
    text.push('\n');
    if whole {
        let parameters: Value = serde_json::from_str(&profile.parameters)?;
        text.push_str(&serde_json::to_string_pretty(&parameters)?);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_one_line_or_all_its_weights() {
        let profile = RankingProfile {
            name: "standard".to_owned(),
            version: 4,
            is_default: true,
            parameters: r#"{"depth": 200}"#.to_owned(),
        };
        let line = "standard@4  (used unless another is chosen)\n";
        assert_eq!(to_text(&profile, false).expect("text"), line);
        let whole = to_text(&profile, true).expect("text");
        assert_eq!(whole, format!("{line}{{\n  \"depth\": 200\n}}\n"));
        assert_eq!(to_json(&profile)["parameters"]["depth"], 200);
    }
}
