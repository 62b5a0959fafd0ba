//! The gRPC face of search rules.

use catalog_events::{InvalidRuleId, RuleForm, RuleId, moment};
use catalog_proto::v1;
use catalog_proto::v1::search_rule_service_server::SearchRuleService;
use tonic::{Request, Response, Status};

use crate::commands::{Commands, WrittenRule};
use crate::domain::{RuleDraft, Violation};
use crate::grpc::call::call;
use crate::grpc::convert::expected_version_or_none;
use crate::grpc::error::{command_status, invalid_rule};
use crate::store::RulePage;

const LIMIT_UNLESS_TOLD: i64 = 100;
const LIMIT_MAX: i64 = 1_000;
/// The most bytes of the rules on a page: callers take 4 MiB unless they are told otherwise.
const PAGE_BYTES_MAX: i64 = 2 * 1024 * 1024;

pub(crate) struct SearchRuleGrpc {
    pub(crate) commands: Commands,
}

#[tonic::async_trait]
impl SearchRuleService for SearchRuleGrpc {
    async fn put_search_rule(
        &self,
        request: Request<v1::PutSearchRuleRequest>,
    ) -> Result<Response<v1::PutSearchRuleResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_rule)?;
        let expected = expected_version_or_none(request.expected_version).map_err(invalid_rule)?;
        let draft = draft(request.rule).map_err(invalid_rule)?;
        let WrittenRule {
            version,
            rule,
            created,
        } = self
            .commands
            .put_rule(draft, expected, &call)
            .await
            .map_err(command_status)?;
        Ok(Response::new(v1::PutSearchRuleResponse {
            rule: rule.map(|rule| rule.to_message(version)),
            created,
        }))
    }

    async fn delete_search_rule(
        &self,
        request: Request<v1::DeleteSearchRuleRequest>,
    ) -> Result<Response<v1::DeleteSearchRuleResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_rule)?;
        let id = rule_id(&request.id).map_err(invalid_rule)?;
        let expected = expected_version_or_none(request.expected_version).map_err(invalid_rule)?;
        let deleted = self.commands.delete_rule(&id, expected, &call).await;
        let version = deleted.map_err(command_status)?.version.get();
        Ok(Response::new(v1::DeleteSearchRuleResponse { version }))
    }

    async fn get_search_rule(
        &self,
        request: Request<v1::GetSearchRuleRequest>,
    ) -> Result<Response<v1::SearchRule>, Status> {
        let id = rule_id(&request.get_ref().id).map_err(invalid_rule)?;
        let found = self.commands.rule(&id).await;
        let (version, rule) = found.map_err(command_status)?;
        Ok(Response::new(rule.to_message(version)))
    }

    async fn list_search_rules(
        &self,
        request: Request<v1::ListSearchRulesRequest>,
    ) -> Result<Response<v1::ListSearchRulesResponse>, Status> {
        let page = page(&request.into_inner()).map_err(invalid_rule)?;
        let listed = self.commands.rules(&page).await;
        let (rules, more) = listed.map_err(command_status)?;
        let last = rules.last().filter(|_| more);
        Ok(Response::new(v1::ListSearchRulesResponse {
            next_page_token: last.map_or(String::new(), |(_, rule)| page_token(&rule.id)),
            rules: rules
                .into_iter()
                .map(|(version, rule)| rule.to_message(version))
                .collect(),
        }))
    }
}

/// The checked rule, or every mistake of it, those of the times in the message included.
fn draft(rule: Option<v1::SearchRule>) -> Result<RuleDraft, Vec<Violation>> {
    let rule = rule.ok_or_else(|| vec![Violation::new("rule", "is missing")])?;
    let times = [("starts_at", &rule.starts_at), ("ends_at", &rule.ends_at)];
    let is_bad = |time: &Option<_>| time.as_ref().is_some_and(|time| moment(time).is_none());
    let mut bad: Vec<_> = times
        .into_iter()
        .filter(|(_, time)| is_bad(time))
        .map(|(field, _)| Violation::new(field, "is no time of the calendar"))
        .collect();
    match RuleDraft::parse(RuleForm::from(rule)) {
        Ok(draft) if bad.is_empty() => Ok(draft),
        Ok(_) => Err(bad),
        Err(violations) => {
            bad.extend(violations);
            Err(bad)
        }
    }
}

fn rule_id(text: &str) -> Result<RuleId, Vec<Violation>> {
    text.parse()
        .map_err(|err: InvalidRuleId| vec![Violation::new("id", err.to_string())])
}

/// What a token has before the id of the last rule: no id has a dot, so that an id is no token.
const AFTER: &str = "after.";

fn page_token(last: &RuleId) -> String {
    format!("{AFTER}{last}")
}

fn page(request: &v1::ListSearchRulesRequest) -> Result<RulePage, Vec<Violation>> {
    let limit = match i64::from(request.limit) {
        ..0 => return Err(vec![Violation::new("limit", "is negative")]),
        0 => LIMIT_UNLESS_TOLD,
        limit => limit.min(LIMIT_MAX),
    };
    let after = match request.page_token.as_str() {
        "" => String::new(),
        token => {
            let id = token
                .strip_prefix(AFTER)
                .filter(|id| id.parse::<RuleId>().is_ok());
            let none = || vec![Violation::new("page_token", "is none of this service")];
            id.ok_or_else(none)?.to_owned()
        }
    };
    Ok(RulePage {
        after,
        kinds: match request.r#type() {
            v1::SearchRuleType::Unspecified => &[],
            v1::SearchRuleType::Synonyms => &["synonyms", "one_way_synonyms", "distinct"],
            v1::SearchRuleType::Curation => &["curation"],
        },
        limit,
        bytes_max: PAGE_BYTES_MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_behind_the_rule_that_its_token_names() {
        let read = |page_token: &str| {
            let page_token = page_token.to_owned();
            page(&v1::ListSearchRulesRequest {
                page_token,
                ..Default::default()
            })
            .map(|page| page.after)
        };
        let id: RuleId = "r-1".parse().expect("an id");
        assert_eq!(page_token(&id), "after.r-1");
        assert_eq!(read("after.r-1"), Ok("r-1".to_owned()));
        assert_eq!(read(""), Ok(String::new()));
        let refused = vec![Violation::new("page_token", "is none of this service")];
        for token in ["x", "r-1", "after.", "after.a.b", "before.r-1"] {
            assert_eq!(read(token), Err(refused.clone()), "{token}");
        }
    }
}
