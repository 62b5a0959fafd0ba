//! Calls the write service about rules, with errors that say what to do.

use anyhow::Context as _;
use catalog_events::{RuleForm, StoredRule};
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use catalog_proto::v1::{
    DeleteSearchRuleRequest, GetSearchRuleRequest, ListSearchRulesRequest, PutSearchRuleRequest,
    SearchRuleType,
};
use client_kit::{Target, bounded};
use service_kit::GrpcChannel;
use tonic::{Code, Status};

use crate::endpoints::EndpointArgs;

/// A client of the rules of the write service.
pub(super) struct Rules {
    target: Target,
    client: SearchRuleServiceClient<GrpcChannel>,
}

impl Rules {
    pub(super) fn of(endpoints: &EndpointArgs) -> anyhow::Result<Self> {
        let target = endpoints.resolve()?.command;
        let client = SearchRuleServiceClient::new(target.channel()?);
        Ok(Self { target, client })
    }

    /// Hands every rule of a kind to `take`, page by page, and counts them.
    pub(super) async fn list(
        &mut self,
        kind: SearchRuleType,
        take: impl Fn(&StoredRule) -> anyhow::Result<()>,
    ) -> anyhow::Result<usize> {
        let mut page_token = String::new();
        let mut count = 0;
        loop {
            let request = ListSearchRulesRequest {
                r#type: kind.into(),
                limit: 0,
                page_token,
            };
            let answer = self.client.list_search_rules(bounded(request)).await;
            let page = answer
                .map_err(|status| self.target.error(&status))?
                .into_inner();
            count += page.rules.len();
            for rule in page.rules {
                take(&StoredRule::from(rule))?;
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(count);
            }
        }
    }

    pub(super) async fn get(&mut self, id: String) -> anyhow::Result<StoredRule> {
        let request = GetSearchRuleRequest { id: id.clone() };
        let answer = self.client.get_search_rule(bounded(request)).await;
        let found = answer.map_err(|status| self.explain(&id, &status, "ask again"))?;
        Ok(found.into_inner().into())
    }

    pub(super) async fn put(
        &mut self,
        form: RuleForm,
        expected_version: Option<i64>,
    ) -> anyhow::Result<StoredRule> {
        let id = form.id.clone();
        let request = PutSearchRuleRequest {
            rule: Some(form.into_message()),
            expected_version,
            ..PutSearchRuleRequest::default()
        };
        let answer = self.client.put_search_rule(bounded(request)).await;
        let if_changed =
            "get it again and make the change anew, or give --any-version to replace it";
        let written = answer.map_err(|status| self.explain(&id, &status, if_changed))?;
        let rule = written.into_inner().rule;
        Ok(rule
            .context("the write service answered without the rule")?
            .into())
    }

    /// Deletes a rule and tells the version of its deletion.
    pub(super) async fn delete(
        &mut self,
        id: &str,
        expected_version: Option<i64>,
    ) -> anyhow::Result<i64> {
        let request = DeleteSearchRuleRequest {
            id: id.to_owned(),
            expected_version,
            ..DeleteSearchRuleRequest::default()
        };
        let answer = self.client.delete_search_rule(bounded(request)).await;
        let if_changed = "see what it is now, and delete it again if that is still wanted";
        let deleted = answer.map_err(|status| self.explain(id, &status, if_changed))?;
        Ok(deleted.into_inner().version)
    }

    /// An error with what to do; `if_changed` is for a rule that somebody else has written meanwhile.
    fn explain(&self, id: &str, status: &Status, if_changed: &str) -> anyhow::Error {
        let hint = match (status.code(), service_kit::reason(status).as_deref()) {
            (Code::NotFound, _) => "`catalogctl rules list` shows those that exist",
            (Code::Aborted, Some("RULE_EXISTS")) => {
                "remove it first, choose another id, or replace it with `catalogctl rules put`"
            }
            (Code::Aborted, _) => if_changed,
            _ => return self.target.error(status).context(format!("rule {id:?}")),
        };
        anyhow::anyhow!("rule {id:?}: {}: {hint}", status.message())
    }
}
