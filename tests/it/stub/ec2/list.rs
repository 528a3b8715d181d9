//! What all lists of EC2 have in common: parameters, filters and pages.

use serde_json::{Value, json};

use crate::stub::call::{Call, Refusal};
use crate::stub::paging::{Asked, page};
use crate::stub::query::{list, number, texts};
use crate::stub::world::World;

/// The most values of one filter (EC2 API reference, "Listing and filtering").
const MOST_VALUES: usize = 200;

/// A filter: its name, and the values that an item has for it.
pub type Filter<T> = (&'static str, fn(&T) -> Vec<&str>);

/// A list of one operation.
pub struct List<T: 'static> {
    /// The largest page; the smallest one is 5.
    pub most: usize,
    /// The filters that are implemented.
    pub filters: &'static [Filter<T>],
}

/// One page of items, and the token of the next page.
pub struct FoundPage<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T: Clone> List<T> {
    /// The page of `items` that the call asks for.
    pub fn page(&self, world: &World, call: &Call, items: &[T]) -> Result<FoundPage<T>, Refusal> {
        let unknown = |refusal: Refusal| refusal.coded(400, "UnknownParameter");
        call.only(&["Filter", "MaxResults", "NextToken"]).map_err(unknown)?;
        let mut found: Vec<&T> = items.iter().collect();
        for filter in list(&call.body, "Filter")? {
            let members = filter.as_object().ok_or_else(|| Refusal::wrong_type("Filter"))?;
            if let Some(other) = members.keys().find(|name| !["Name", "Value"].contains(&name.as_str())) {
                let message = format!("The parameter Filter.1.{other} is not recognized");
                return Err(Refusal::client("UnknownParameter", message));
            }
            let values = texts(filter, "Value")?;
            if values.len() > MOST_VALUES {
                let message = "The maximum number of filter values specified on a single call is 200";
                return Err(Refusal::client("FilterLimitExceeded", message));
            }
            let name = filter["Name"].as_str().unwrap_or_default();
            let Some((_, of)) = self.filters.iter().find(|(known, _)| *known == name) else {
                let message = format!("The filter '{name}' is invalid");
                return Err(Refusal::client("InvalidParameterValue", message));
            };
            found.retain(|item| of(item).iter().any(|value| values.contains(value)));
        }
        let asked = Asked {
            limit: number(call, "MaxResults")?,
            token: call.text("NextToken")?,
            least: 5,
            most: self.most,
            bad_token: "InvalidNextToken",
            cap: world.page_size,
        };
        let invalid = |refusal: Refusal| match refusal.code.as_str() {
            "ValidationException" => refusal.coded(400, "InvalidParameterValue"),
            _ => refusal,
        };
        let (items, next) = page(found, &asked).map_err(invalid)?;
        Ok(FoundPage { items: items.into_iter().cloned().collect(), next })
    }
}

/// An answer with a list and perhaps the token of the next page.
pub fn answer(set: &str, items: &[Value], next: Option<String>) -> Value {
    let mut answer = json!({ set: items });
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    answer
}
