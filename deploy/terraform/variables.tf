# What only the module needs. The variables that stand for the template's parameters are in parameters.tf.

variable "name" {
  description = "The name of the function, and the beginning of the names of everything else. Two modules in an account and Region need two names."
  type        = string
  default     = "session-kms"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,31}$", var.name))
    error_message = "The name must be a letter and then at most 31 letters, digits, hyphens or underscores."
  }
}

variable "zip_file" {
  description = "Path of the function's code, which `make release` makes: function-arm64.zip or function-x86_64.zip. Leave it out if the code is in a bucket."
  type        = string
  default     = null
}

variable "s3_bucket" {
  description = "The bucket with the function's code, in the Region of the function, in place of zip_file."
  type        = string
  default     = null
}

variable "s3_key" {
  description = "The key of the function's code in the bucket."
  type        = string
  default     = null
}

variable "s3_object_version" {
  description = "The version of the function's code in the bucket, if the bucket keeps versions."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that the module makes and that can have tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
