//! Reads the Condition element.

use std::borrow::Cow;

use super::{Parser, Version};
use crate::condition::read_bool;
use crate::error::{JsonPath, ParseResult};
use crate::json::JsonReader;
use crate::operator::{Comparison, Operator, Quantifier};
use crate::pattern::{Pattern, Syntax};
use crate::policy::{Condition, PoolRange};
use crate::value::binary;
use crate::value::date;
use crate::value::network::Network;
use crate::value::number::Number;
use crate::warning::WarningKind;

impl<'t> Parser<'t> {
    pub(super) fn conditions(
        &mut self,
        reader: &mut JsonReader<'t>,
        path: &JsonPath<'_>,
    ) -> ParseResult<PoolRange<Condition>> {
        let start = self.pools.conditions.len();
        let mark = self.names.len();
        // The names of the operators stand in `names` in front of those of the block that is being read.
        reader.object(path, "an object of condition operators", |reader, name| {
            let block = path.member(&name);
            let operator = Operator::parse(&name);
            if operator.comparison == Comparison::Unknown {
                self.warn(&block, WarningKind::UnknownOperator(name.clone().into_owned()));
            }
            let keys = self.names.len();
            reader.object(&block, "an object of condition keys", |reader, key| {
                self.condition(operator, &name, reader, key, &block)
            })?;
            self.distinct(keys, true, &block)?;
            self.names.push(name);
            Ok(())
        })?;
        self.distinct(mark, false, path)?;
        Ok(PoolRange::since(start, &self.pools.conditions))
    }

    fn condition(
        &mut self,
        operator: Operator,
        operator_name: &str,
        reader: &mut JsonReader<'t>,
        key: Cow<'t, str>,
        block: &JsonPath<'_>,
    ) -> ParseResult<()> {
        let path = &block.member(&key);
        let at = self.pools.condition_key(&key);
        let multivalued = self.pools.keys.get(at as usize).is_some_and(|key| key.multivalued);
        let compares = !matches!(operator.comparison, Comparison::Null | Comparison::Unknown);
        if multivalued && compares && operator.quantifier == Quantifier::Single {
            let (operator, key) = (operator_name.to_owned(), key.clone().into_owned());
            self.warn(path, WarningKind::PlainOnMultivalued { operator, key });
        }
        let start = self.pools.patterns.len();
        reader.one_or_many(path, |reader, path| {
            let text = reader.scalar(path)?;
            let pattern = self.value(operator, &text, path);
            self.pools.patterns.push(pattern);
            Ok(())
        })?;
        let values = PoolRange::since(start, &self.pools.patterns);
        self.pools.conditions.push(Condition { operator, key: at, values });
        self.names.push(key);
        Ok(())
    }

    /// Compiles a listed value for its operator. A value of the wrong type never matches.
    fn value(&mut self, operator: Operator, text: &str, path: &JsonPath<'_>) -> Pattern {
        let variables = self.version == Version::Y2012 && operator.takes_variables();
        let literal = Syntax { wildcards: false, variables };
        let (pattern, expected) = match operator.comparison {
            Comparison::Unknown => (Some(Pattern::Never), ""),
            Comparison::String | Comparison::StringIgnoreCase => {
                (Some(self.pools.compile(text, literal)), "")
            }
            Comparison::StringLike => {
                (Some(self.pools.compile(text, Syntax { wildcards: true, variables })), "")
            }
            Comparison::Arn if text == "*" => {
                self.warn(path, WarningKind::LoneStarArn);
                (Some(Pattern::LoneStarArn), "")
            }
            Comparison::Arn => (self.pools.compile_arn(text, variables), "ARN of six parts"),
            Comparison::Bool | Comparison::Null => {
                let value = read_bool(text).map(Pattern::Bool);
                let variable = variables && text.contains("${");
                (value.or_else(|| variable.then(|| self.pools.compile(text, literal))), "boolean")
            }
            Comparison::Numeric(_) => {
                (Number::parse(text).map(|_| Pattern::Number(self.pools.add_text(text))), "decimal number")
            }
            Comparison::Date(_) => (date::parse(text).map(Pattern::Date), "date"),
            Comparison::IpAddress => (Network::parse(text).map(Pattern::Network), "IP address or CIDR range"),
            Comparison::Binary => {
                (binary::is_base64(text).then(|| Pattern::Binary(self.pools.add_text(text))), "base64 value")
            }
        };
        pattern.unwrap_or_else(|| {
            self.warn(path, WarningKind::WrongType { value: text.to_owned(), expected });
            Pattern::Never
        })
    }
}
