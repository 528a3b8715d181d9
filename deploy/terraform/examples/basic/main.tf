# Creates a key, lets one role start sessions and one role of nodes take part in them, and switches the key on.

terraform {
  required_version = ">= 1.5.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "session_kms" {
  source = "../.."

  zip_file        = "function-arm64.zip"
  create_key      = true
  user_role_names = ["Operator"]
  node_role_names = ["App"]
}

output "key_arn" {
  description = "The key that encrypts sessions."
  value       = module.session_kms.key_arn
}
