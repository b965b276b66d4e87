//! The middle form as plans record it. Its tags are a contract: `schemas/bridge_compiled_plan.schema.json`.

use serde_json::{Value, json};

use super::canonical::integer;
use crate::bridge::ir::{Expr, FieldExpr, Network, Number, PatternPart, Predicate, Test};
use crate::bridge::{
    CorrelatedRule, CorrelationInput, CorrelationPlan, CorrelationStep, GroupKey, InputValue, Measure, Plan,
    Seen, Source, WindowTest,
};
use crate::sigma::{Bound, BoundOperator, BoundValue, Comparison, Spanned, TextMatch};

/// What an event rule asks of an event, apart from its scope.
pub(super) fn event(plan: &Plan) -> Value {
    expr(&plan.predicate)
}

fn expr(of: &Expr) -> Value {
    match of {
        Expr::And(parts) => json!({"and": parts.iter().map(expr).collect::<Vec<_>>()}),
        Expr::Or(parts) => json!({"or": parts.iter().map(expr).collect::<Vec<_>>()}),
        Expr::Not(part) => json!({"not": expr(part)}),
        Expr::Selection { name, body, .. } => json!({"selection": name, "body": expr(body)}),
        Expr::Predicate(Predicate { field, source, test: of, .. }) => {
            json!({"field": field.0, "source": field_expr(source), "test": test(of)})
        }
    }
}

fn field_expr(of: &FieldExpr) -> Value {
    match of {
        FieldExpr::Column(column) => {
            json!({"column": column.path, "type": column.field_type, "list": column.list})
        }
        FieldExpr::Computed(computed) => {
            json!({"expr": computed.text, "type": computed.field_type, "list": computed.list})
        }
        FieldExpr::AnyOf(parts) => json!({"any_of": parts.iter().map(field_expr).collect::<Vec<_>>()}),
        FieldExpr::PerClass(parts) => {
            let parts = parts.iter().map(|(class, of)| json!({"class_uid": class, "source": field_expr(of)}));
            json!({"per_class": parts.collect::<Vec<_>>()})
        }
    }
}

fn test(of: &Test) -> Value {
    match of {
        Test::Exists => json!({"op": "exists"}),
        Test::Missing => json!({"op": "missing"}),
        Test::TextIn { values, cased } => json!({"op": "text_in", "values": values, "cased": cased}),
        Test::Text { position, value, cased } => {
            json!({"op": text_match(*position), "value": value, "cased": cased})
        }
        Test::NumberIn(values) => {
            json!({"op": "number_in", "values": values.iter().map(number).collect::<Vec<_>>()})
        }
        Test::Compare(comparison, value) => json!({"op": compare(*comparison), "value": number(value)}),
        Test::BooleanIn(values) => json!({"op": "boolean_in", "values": values}),
        Test::Pattern { parts, cased } => {
            json!({"op": "pattern", "parts": parts.iter().map(part).collect::<Vec<_>>(), "cased": cased})
        }
        Test::Regex(regex) => json!({
            "op": "regex",
            "pattern": regex.pattern,
            "ignore_case": regex.ignore_case,
            "multiline": regex.multiline,
            "dot_all": regex.dot_all,
        }),
        Test::Network(network) => json!({"op": "network", "network": network_text(*network)}),
        Test::OtherText { position, other, cased } => json!({
            "op": "other_text", "position": text_match(*position), "other": field_expr(other), "cased": cased,
        }),
        Test::OtherNumber(other) => json!({"op": "other_number", "other": field_expr(other)}),
        Test::TimePart { part, values } => {
            let values: Vec<_> = values.iter().map(|value| integer((*value).into())).collect();
            json!({"op": "time_part", "part": part.as_str(), "values": values})
        }
    }
}

fn number(of: &Number) -> Value {
    match of {
        Number::Integer(number) => integer(*number),
        Number::Float(number) => json!(number),
    }
}

fn part(of: &PatternPart) -> Value {
    match of {
        PatternPart::Text(text) => json!({"text": text}),
        PatternPart::AnyRun => json!("any_run"),
        PatternPart::AnyOne => json!("any_one"),
        PatternPart::Dash => json!("dash"),
    }
}

fn network_text(network: Network) -> String {
    match network {
        Network::V4(address, length) => format!("{address}/{length}"),
        Network::V6(address, length) => format!("{address}/{length}"),
    }
}

fn text_match(position: TextMatch) -> &'static str {
    match position {
        TextMatch::Equals => "equals",
        TextMatch::Contains => "contains",
        TextMatch::StartsWith => "starts_with",
        TextMatch::EndsWith => "ends_with",
    }
}

fn compare(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Lt => "lt",
        Comparison::Lte => "lte",
        Comparison::Gt => "gt",
        Comparison::Gte => "gte",
    }
}

/// A correlation with all that it refers to; the last step is its own.
pub(super) fn correlation(plan: &CorrelationPlan) -> Value {
    json!({
        "rules": plan.rules.iter().map(correlated).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn correlated(rule: &CorrelatedRule) -> Value {
    json!({
        "title": rule.title,
        "scope": super::pack_document::scope(&rule.plan.scope),
        "predicate": expr(&rule.plan.predicate),
    })
}

fn step(step: &CorrelationStep) -> Value {
    json!({
        "title": step.title,
        "type": step.kind.as_str(),
        "timespan_milliseconds": integer(step.timespan.value.milliseconds().into()),
        "group_by": step.keys.iter().map(group_key).collect::<Vec<_>>(),
        "inputs": step.inputs.iter().map(input).collect::<Vec<_>>(),
        "test": window_test(&step.test),
    })
}

fn group_key(key: &GroupKey) -> Value {
    json!({"field": key.name.0, "type": key.field_type})
}

fn input(input: &CorrelationInput) -> Value {
    let source = match input.source {
        Source::Rule(at) => json!({"rule": at}),
        Source::Step(at) => json!({"step": at}),
    };
    json!({
        "name": input.name,
        "source": source,
        "keys": input.keys.iter().map(input_value).collect::<Vec<_>>(),
        "values": input.values.iter().map(input_value).collect::<Vec<_>>(),
    })
}

fn input_value(value: &InputValue) -> Value {
    match value {
        InputValue::Field(field) => field_expr(field),
        InputValue::Key(at) => json!({"key": at}),
    }
}

fn window_test(test: &WindowTest) -> Value {
    match test {
        WindowTest::Bounds(of, bounds) => {
            json!({"measure": measure(*of), "bounds": bounds.iter().map(bound).collect::<Vec<_>>()})
        }
        WindowTest::Seen(expression) => json!({"seen": seen(&expression.value)}),
    }
}

fn measure(of: Measure) -> Value {
    match of {
        Measure::Events => json!("events"),
        Measure::DistinctValues => json!("distinct_values"),
        Measure::DistinctInputs => json!("distinct_inputs"),
        Measure::Sum => json!("sum"),
        Measure::Average => json!("average"),
        Measure::Quantile(fraction) => json!({"quantile": fraction}),
    }
}

fn bound(bound: &Spanned<Bound>) -> Value {
    let value = match bound.value.value {
        BoundValue::Integer(number) => integer(number.into()),
        BoundValue::Float(number) => json!(number),
    };
    let op = match bound.value.operator {
        BoundOperator::Gt => "gt",
        BoundOperator::Gte => "gte",
        BoundOperator::Lt => "lt",
        BoundOperator::Lte => "lte",
        BoundOperator::Eq => "eq",
        BoundOperator::Neq => "neq",
    };
    json!({"op": op, "value": value})
}

fn seen(of: &Seen) -> Value {
    match of {
        Seen::Input(at) => json!({"input": at}),
        Seen::And(parts) => json!({"and": parts.iter().map(seen).collect::<Vec<_>>()}),
        Seen::Or(parts) => json!({"or": parts.iter().map(seen).collect::<Vec<_>>()}),
        Seen::Not(part) => json!({"not": seen(part)}),
    }
}
