//! Calls about search rules.

use catalog_events::RuleId;
use catalog_proto::v1;
use tonic::Status;

use crate::upstream::{Caller, Upstream, within};

/// A rule as it is now.
pub(crate) struct PutRule {
    pub(crate) rule: v1::SearchRule,
    /// There was none before.
    pub(crate) created: bool,
}

impl Upstream {
    pub(crate) async fn list_rules(
        &self,
        caller: &Caller,
        message: v1::ListSearchRulesRequest,
    ) -> Result<v1::ListSearchRulesResponse, Status> {
        let mut client = self.rules.clone();
        let request = caller.request(message, self.batch_deadline);
        let answer = within(self.batch_deadline, client.list_search_rules(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn get_rule(
        &self,
        caller: &Caller,
        id: &RuleId,
    ) -> Result<v1::SearchRule, Status> {
        let message = v1::GetSearchRuleRequest { id: id.to_string() };
        let mut client = self.rules.clone();
        let request = caller.request(message, self.get_deadline);
        let answer = within(self.get_deadline, client.get_search_rule(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn put_rule(
        &self,
        caller: &Caller,
        message: v1::PutSearchRuleRequest,
    ) -> Result<PutRule, Status> {
        let mut client = self.rules.clone();
        let request = caller.request(message, self.write_deadline);
        let answer = within(self.write_deadline, client.put_search_rule(request)).await?;
        let v1::PutSearchRuleResponse { rule, created } = answer.into_inner();
        let rule = rule.ok_or_else(|| Status::internal("the answer holds no rule"))?;
        Ok(PutRule { rule, created })
    }

    pub(crate) async fn delete_rule(
        &self,
        caller: &Caller,
        message: v1::DeleteSearchRuleRequest,
    ) -> Result<(), Status> {
        let mut client = self.rules.clone();
        let request = caller.request(message, self.write_deadline);
        within(self.write_deadline, client.delete_search_rule(request)).await?;
        Ok(())
    }
}
