//! The peer's search rules. It keeps them as the write service does, without its checks.

use catalog_proto::v1::search_rule_service_server::SearchRuleService;
use catalog_proto::v1::*;
use tonic::{Code, Request, Response, Status};

use crate::peer::{Handler, State};

impl State {
    fn rule_at(&self, id: &str, expected: Option<i64>) -> Result<i64, Status> {
        let found = self.rules.get(id).map_or(0, |rule| rule.version);
        match (expected, found) {
            (Some(0), 1..) => Err(service_kit::status(Code::Aborted, "RULE_EXISTS", "", [])),
            (Some(expected), _) if expected != found => Err(service_kit::status(
                Code::Aborted,
                "VERSION_MISMATCH",
                "",
                [],
            )),
            _ => Ok(found),
        }
    }
}

#[tonic::async_trait]
impl SearchRuleService for Handler {
    async fn put_search_rule(
        &self,
        request: Request<PutSearchRuleRequest>,
    ) -> Result<Response<PutSearchRuleResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("PutSearchRule", request_id, request, |state, message| {
            let rule = message.rule.expect("rule");
            let version = state.rule_at(&rule.id, message.expected_version)? + 1;
            let rule = SearchRule {
                version,
                created_at: Some(prost_types::Timestamp::default()),
                updated_at: Some(prost_types::Timestamp::default()),
                ..rule
            };
            let earlier = state.rules.insert(rule.id.clone(), rule.clone());
            Ok(PutSearchRuleResponse {
                rule: Some(rule),
                created: earlier.is_none(),
            })
        })
        .await
    }

    async fn delete_search_rule(
        &self,
        request: Request<DeleteSearchRuleRequest>,
    ) -> Result<Response<DeleteSearchRuleResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        self.serve_write("DeleteSearchRule", request_id, request, |state, message| {
            if !state.rules.contains_key(&message.id) {
                return Err(Status::not_found("no such rule"));
            }
            let version = state.rule_at(&message.id, message.expected_version)? + 1;
            state.rules.remove(&message.id);
            Ok(DeleteSearchRuleResponse { version })
        })
        .await
    }

    async fn get_search_rule(
        &self,
        request: Request<GetSearchRuleRequest>,
    ) -> Result<Response<SearchRule>, Status> {
        self.serve("GetSearchRule", request, |state, message| {
            let rule = state.rules.get(&message.id).cloned();
            rule.ok_or_else(|| Status::not_found("no such rule"))
        })
        .await
    }

    async fn list_search_rules(
        &self,
        request: Request<ListSearchRulesRequest>,
    ) -> Result<Response<ListSearchRulesResponse>, Status> {
        self.serve("ListSearchRules", request, |state, message| {
            let after = state
                .rules
                .values()
                .filter(|rule| rule.id > message.page_token);
            let mut rules: Vec<_> = after.cloned().collect();
            let more = rules.len() > message.limit as usize;
            rules.truncate(message.limit as usize);
            let last = rules.last().filter(|_| more);
            Ok(ListSearchRulesResponse {
                next_page_token: last.map_or(String::new(), |rule| rule.id.clone()),
                rules,
            })
        })
        .await
    }
}
