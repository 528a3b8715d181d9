//! The Condition element.

use std::borrow::Cow;

use super::{Parser, Result, Version};
use crate::condition::read_bool;
use crate::document::{Condition, Run};
use crate::error::Path;
use crate::json::Reader;
use crate::operator::{Base, Operator, Quantifier};
use crate::pattern::{Pattern, Syntax};
use crate::value::binary;
use crate::value::date;
use crate::value::network::Network;
use crate::value::number::Number;
use crate::warning::WarningKind;

impl<'t> Parser<'t> {
    pub(super) fn conditions(&mut self, reader: &mut Reader<'t>, path: &Path<'_>) -> Result<Run<Condition>> {
        let start = self.pools.conditions.len();
        let mark = self.names.len();
        // The names of the operators wait below those of the block that is being read.
        reader.object(path, "an object of condition operators", |reader, name| {
            let block = path.member(&name);
            let operator = Operator::parse(&name);
            if operator.base == Base::Unknown {
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
        Ok(Run::since(start, &self.pools.conditions))
    }

    fn condition(
        &mut self,
        operator: Operator,
        operator_name: &str,
        reader: &mut Reader<'t>,
        key: Cow<'t, str>,
        block: &Path<'_>,
    ) -> Result<()> {
        let path = &block.member(&key);
        let at = self.pools.key(&key);
        let multivalued = self.pools.keys.get(at as usize).is_some_and(|key| key.multivalued);
        let compares = !matches!(operator.base, Base::Null | Base::Unknown);
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
        let values = Run::since(start, &self.pools.patterns);
        self.pools.conditions.push(Condition { operator, key: at, values });
        self.names.push(key);
        Ok(())
    }

    /// Compiles a listed value for its operator; a value of the wrong type never matches.
    fn value(&mut self, operator: Operator, text: &str, path: &Path<'_>) -> Pattern {
        let variables = self.version == Version::Y2012 && operator.takes_variables();
        let literal = Syntax { wildcards: false, variables };
        let (pattern, expected) = match operator.base {
            Base::Unknown => (Some(Pattern::Never), ""),
            Base::String | Base::StringIgnoreCase => (Some(self.pools.compile(text, literal)), ""),
            Base::StringLike => (Some(self.pools.compile(text, Syntax { wildcards: true, variables })), ""),
            Base::Arn if text == "*" => {
                self.warn(path, WarningKind::LoneStarArn);
                (Some(Pattern::LoneStarArn), "")
            }
            Base::Arn => (self.pools.compile_arn(text, variables), "ARN of six parts"),
            Base::Bool | Base::Null => {
                let value = read_bool(text).map(Pattern::Bool);
                let variable = variables && text.contains("${");
                (value.or_else(|| variable.then(|| self.pools.compile(text, literal))), "boolean")
            }
            Base::Numeric(_) => {
                (Number::parse(text).map(|_| Pattern::Number(self.pools.keep(text))), "decimal number")
            }
            Base::Date(_) => (date::parse(text).map(Pattern::Date), "date"),
            Base::IpAddress => (Network::parse(text).map(Pattern::Network), "IP address or CIDR range"),
            Base::Binary => {
                (binary::is_base64(text).then(|| Pattern::Binary(self.pools.keep(text))), "base64 value")
            }
        };
        pattern.unwrap_or_else(|| {
            self.warn(path, WarningKind::WrongType { value: text.to_owned(), expected });
            Pattern::Never
        })
    }
}
