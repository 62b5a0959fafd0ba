//! Calls about search rules, all of them to the write service.

use catalog_events::RuleId;
use catalog_proto::v1;
use tonic::Status;

use crate::upstream::call::call;
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

/// A rule as it is now.
pub(crate) struct PutRule {
    pub(crate) rule: v1::SearchRule,
    /// Whether there was no such rule before.
    pub(crate) created: bool,
}

impl Upstream {
    pub(crate) async fn list_rules(
        &self,
        caller: &Caller,
        message: v1::ListSearchRulesRequest,
    ) -> Result<v1::ListSearchRulesResponse, Status> {
        let mut client = self.rules.clone();
        call(caller, self.batch_deadline, message, |request| {
            client.list_search_rules(request)
        })
        .await
    }

    pub(crate) async fn get_rule(
        &self,
        caller: &Caller,
        id: &RuleId,
    ) -> Result<v1::SearchRule, Status> {
        let message = v1::GetSearchRuleRequest { id: id.to_string() };
        let mut client = self.rules.clone();
        call(caller, self.get_deadline, message, |request| {
            client.get_search_rule(request)
        })
        .await
    }

    pub(crate) async fn put_rule(
        &self,
        caller: &Caller,
        message: v1::PutSearchRuleRequest,
    ) -> Result<PutRule, Status> {
        let mut client = self.rules.clone();
        let answer = call(caller, self.write_deadline, message, |request| {
            client.put_search_rule(request)
        })
        .await?;
        let rule = answer
            .rule
            .ok_or_else(|| Status::internal("the answer holds no rule"))?;
        Ok(PutRule {
            rule,
            created: answer.created,
        })
    }

    pub(crate) async fn delete_rule(
        &self,
        caller: &Caller,
        message: v1::DeleteSearchRuleRequest,
    ) -> Result<(), Status> {
        let mut client = self.rules.clone();
        call(caller, self.write_deadline, message, |request| {
            client.delete_search_rule(request)
        })
        .await?;
        Ok(())
    }
}
